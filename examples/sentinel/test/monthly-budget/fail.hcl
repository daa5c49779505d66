mock "tfrun" {
  data = {
    cost_estimate = { proposed_monthly_cost = "10000.00" }
  }
}

param "limit" {
  value = 10000
}

test {
  rules = {
    main = false
  }
}
