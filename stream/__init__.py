"""Everything that moves: clicks come in, alerts go out.

A click's way through the rooms: `intake` -> `ownership` -> `shard` -> `alerts` -> `kafka`. Around it: `processes` (what runs), `feedback` (labels
from outside), `cli`, `backtest`, `demo`. Beside them stand `settings`, `faults`, `position` and `outbox`, which several rooms share.
"""
