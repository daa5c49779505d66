"""An audit as documents.

``parts`` (what a report is made of), ``sections`` and ``view`` (what it says), ``html`` and ``markdown`` (how that looks),
``oscal``, ``document`` (JSON) and ``readme`` (the rest of the pack).
"""
