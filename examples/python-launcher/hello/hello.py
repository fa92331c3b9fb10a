"""A component that greets, and says in which version."""

import sys
from importlib.metadata import version


def greet(name):
    """Prints a greeting."""
    print("Hi, %s! -- from version %s of hello" % (name, version("hello")))


def main():
    """Greets whoever the command line names."""
    greet(sys.argv[1] if len(sys.argv) > 1 else "nobody")
