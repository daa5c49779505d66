import "module" "planned" {
  source = "../../modules/planned.sentinel"
}

mock "tfplan/v2" {
  module {
    source = "mock-on-demand.sentinel"
  }
}

test {
  rules = {
    main = false
  }
}
