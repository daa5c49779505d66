# What the platform team asks of every plan.

import "module" "planned" {
  source = "modules/planned.sentinel"
}

policy "gpu-types" {
  enforcement_level = "hard-mandatory"
  source            = "./gpu-types.sentinel"
}

policy "owned-by-a-team" {
  enforcement_level = "soft-mandatory"
  source            = "./owned-by-a-team.sentinel"
}

policy "monthly-budget" {
  enforcement_level = "advisory"
  source            = "./monthly-budget.sentinel"
  params = {
    limit = 10000
  }
}
