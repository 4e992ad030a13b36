"""A paper exchange: a real HTTP and WebSocket server on loopback that keeps its own record of what happened.

It is the other party of the demo, so it runs in a process of its own, shares nothing with the bot but the wire, and uses
nothing of the SDK. Whatever it does by chance is decided by a seed: the same orders meet the same fate in every run.
"""
