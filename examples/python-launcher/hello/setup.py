"""Builds the egg of hello in the version that HELLO_VERSION says."""

import os

from setuptools import setup

setup(
    name="hello",
    version=os.environ["HELLO_VERSION"],
    py_modules=["hello"],
    entry_points={"console_scripts": ["hello = hello:main"]},
)
