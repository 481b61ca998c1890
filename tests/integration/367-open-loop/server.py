# SPDX-License-Identifier: MIT
"""server.py STALL_AT STALL_MS STATUS FILE: answers every request at once with STATUS
and an order, but nobody from the STALL_AT-th request on, for STALL_MS. Prints its
port; at its end, to FILE, a line of JSON per request: connection, method, path,
headers, body, and when it came (CLOCK_REALTIME, ns)."""
import asyncio, json, signal, sys, time

stall_at, stall_s, status, path = int(sys.argv[1]), int(sys.argv[2]) / 1000, sys.argv[3], sys.argv[4]
seen, until = [], 0.0


async def serve(reader, writer):
    global until
    connection = writer.get_extra_info("peername")[1]
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            came = time.time_ns()
            lines = head.split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in lines[1:] if line)
            body = (await reader.readexactly(int(headers.get("Content-Length", 0)))).decode()
            seen.append({"connection": connection, "method": method, "path": target,
                         "headers": headers, "body": body, "came": came})
            if len(seen) == stall_at:
                until = time.monotonic() + stall_s
            while (left := until - time.monotonic()) > 0:
                await asyncio.sleep(left)
            answer = b"" if method == "HEAD" else b'{"id":7}'
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 8\r\n\r\n".encode() + answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await end.wait()
    with open(path, "w") as f:
        for row in seen:
            print(json.dumps(row), file=f)


asyncio.run(main())
