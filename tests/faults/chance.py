"""What varies from run to run.

JOBTHREAD_FAULTS=long asks for many trials, JOBTHREAD_FAULTS_SEED for the very same ones once more.
"""

import os
import random
import time

LONG = os.environ.get("JOBTHREAD_FAULTS") == "long"


def seeded() -> random.Random:
    seed = int(os.environ.get("JOBTHREAD_FAULTS_SEED") or time.time())
    print(f"JOBTHREAD_FAULTS_SEED={seed}")
    return random.Random(seed)
