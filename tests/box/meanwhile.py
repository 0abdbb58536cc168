"""Threads that run for the length of a `with`."""

import threading


class Meanwhile:
    """Each of `bodies` on a thread of its own; it returns soon after `stopping` is set."""

    def __init__(self, *bodies):
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=body) for body in bodies]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
