"""What `native.py` measures: one module for each group of rows, one for each peer in it.

``irregular``, ``networks``, ``epochs``, ``moons``, ``gpt`` and ``limits`` have a function ``rows``;
``irregular_casadi``, ``networks_torch`` and so on are the peers, as their authors would write them,
each readable alone; what ends in ``_ours`` is our side, through the public interface.
"""
