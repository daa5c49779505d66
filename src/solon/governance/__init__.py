"""The programme around policies: who owns what, staged rollout, waivers and break-glass."""
