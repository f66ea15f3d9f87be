"""`torch.compile(model, backend="ansord")`: parts of a graph run cached kernels, the rest is eager.

Found by PyTorch through the entry point `torch_dynamo_backends`; needs the extra `torch`. Nothing else in
this package imports torch.
"""

from __future__ import annotations

from ansord_client.torch_backend.backend import ansord

__all__ = ["ansord"]
