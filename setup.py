"""The one part of the package that is compiled; everything else stands in pyproject.toml."""

from setuptools import Extension, setup

# Without a C compiler the package installs all the same, and NumPy does the work of these loops.
setup(
    ext_modules=[
        Extension(
            "tradespace.features.batch._loops",
            ["src/tradespace/features/batch/loops.c"],
            optional=True,
        )
    ]
)
