"""The application: knows nothing of updates."""

import sys

import hello

hello.greet(sys.argv[1])
