"""The course's checks: each judges what a learner wrote, and says in a sentence what is wrong.

A lesson computes on one thread, also what it draws or measures between two solves; see `machine`.
"""

import torch

torch.set_num_threads(1)
