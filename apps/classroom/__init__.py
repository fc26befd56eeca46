"""A room of learners on one server: Voilà with ready kernels, and no more of them than fit.

    python -m apps.classroom --learners 20

runs in the repository's top folder, where `voila.json` and `apps/` lie. The explorer is the one of
`make explorer`; what is here only decides who gets a kernel.
"""
