# SPDX-License-Identifier: MIT
"""closed.py PORT RATE COUNT: a closed loop, as load generators often are: one
connection that sends at RATE, but never before the answer to the request before, and
measures from the send. Prints what load.csv would have."""
import http.client, sys, time

port, rate, count = map(int, sys.argv[1:4])
c = http.client.HTTPConnection("127.0.0.1", port)
print("request,latency_ns")
due = time.monotonic()
for i in range(count):
    time.sleep(max(0, due - time.monotonic()))
    sent = time.monotonic_ns()
    c.request("POST", "/", "{}")
    c.getresponse().read()
    print(f"{i},{time.monotonic_ns() - sent}")
    due = max(due, time.monotonic() - 1 / rate) + 1 / rate
