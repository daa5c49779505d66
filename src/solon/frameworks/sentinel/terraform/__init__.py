"""What the Terraform imports of Sentinel give, derived from the JSON of ``terraform show -json``.

Each view is a table of its parts. A part is made when a policy first asks for it, out of the document as it is.
"""

from solon.frameworks.sentinel.terraform.imports import NAMES, Documents, imports_of

__all__ = ["NAMES", "Documents", "imports_of"]
