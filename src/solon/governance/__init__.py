"""The programme around the policies: stages, waivers, break-glass, ownership."""
