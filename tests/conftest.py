import signal

pytest_plugins = ["pgproof.testing.pytest_plugin"]

# A shell starts its background jobs with SIGINT ignored, and children inherit that: tests that press Ctrl-C
# in a process of their own would wait for ever. A handler of ours is reset to the default in children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
