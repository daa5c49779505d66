"""Sentinel: policy sets described by ``sentinel.hcl``, and the tests beside their policies.

Read in this order: hcl, json_form, configuration (what the files say), sources (where they lead), terraform (what
policies import), load (policies of a set), judge, findings (what they find), suite (their tests).
"""
