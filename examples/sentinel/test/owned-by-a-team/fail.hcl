import "module" "planned" {
  source = "../../modules/planned.sentinel"
}

mock "tfplan/v2" {
  data = {
    resource_changes = {
      "aws_s3_bucket.models" = {
        address = "aws_s3_bucket.models"
        mode    = "managed"
        type    = "aws_s3_bucket"
        change = {
          actions = ["create"]
          after   = { tags = { "Team" = "vision" } }
        }
      }
    }
  }
}

test {
  rules = {
    main = false
  }
}
