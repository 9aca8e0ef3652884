"""``python -m casemgmt.trust.verify PACKAGE.zip``"""

import sys

from casemgmt.trust.verify.command import main

sys.exit(main())
