mock "tfrun" {
  data = {
    cost_estimate = { proposed_monthly_cost = "812.50" }
  }
}

param "limit" {
  value = 10000
}

test {
  rules = {
    main = true
  }
}
