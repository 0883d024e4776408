"""What the kernel needs to know of an event's type and channel, packed into one integer: the word.

===== ================================================
bits  meaning
===== ================================================
0-3   key slot, `NO_KEY` for none
4     the event's value is money
5     the event is an error
6-9   funnel step, 0 for none
10-13 channel, 0 for none
16-23 bit k: activity by definition k
24-31 bit k: sets the hit bits of definition k
===== ================================================

`FeatureSpec.type_word` and `FeatureSpec.channel_bits` write the word; `features.compiled.word` reads it.
"""

from __future__ import annotations

KEY_MASK = 15
NO_KEY = 15
REVENUE_BIT = 4
ERROR_BIT = 5
FUNNEL_BIT = 6
FUNNEL_MASK = 15
CHANNEL_BIT = 10
CHANNEL_MASK = 15
ACTIVITY_BIT = 16
HIT_BIT = 24
