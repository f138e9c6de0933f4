"""One thread, so that results are reproducible and the machine is shared."""

import torch

torch.set_num_threads(1)
