# SPDX-License-Identifier: MIT
"""kill -9 at random under load both ways: nothing acknowledged is lost, nothing is sent twice."""
import os

from kills import Kills, is_good


def test_nothing_is_lost_or_doubled_by_kills():
    count = 200 if os.environ.get("GODWIT_LONG") else 20
    seed = int.from_bytes(os.urandom(4), "big")
    kills = Kills(os.environ["GODWIT_BIN"], count, seed)
    result = kills.run()
    print(result)  # the seed, when it fails
    assert is_good(result), result
    assert result["hooks_acked"] > count and result["sends_answered"] > count, result
    assert result["lists_answered"] - result["lists_refused"] > count // 10, result
    assert result["ready_max_s"] < 10, result
    kills.clean()
