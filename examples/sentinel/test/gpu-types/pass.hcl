import "module" "planned" {
  source = "../../modules/planned.sentinel"
}

mock "tfplan/v2" {
  module {
    source = "mock-reserved.sentinel"
  }
}

test {
  rules = {
    main = true
  }
}
