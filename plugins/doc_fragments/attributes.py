# Copyright (c) 2026, The homecloud.swarm developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of this collection promises."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes: the first part for all modules, the others added to it."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: Running the module twice in a row, nothing else having changed, changes nothing the second time.
  action_group:
    description: Use C(group/homecloud.swarm.swarm) or C(group/homecloud.swarm.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - homecloud.swarm.swarm
      - homecloud.swarm.all
"""

    # For modules that change something.
    WRITES = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    # For modules that only look.
    READS = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: This module changes nothing.
  diff_mode:
    support: none
    details: This module changes nothing.
  idempotent:
    support: full
    details: This module changes nothing.
"""
