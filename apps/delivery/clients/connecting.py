"""How the aiohttp client gets a connection: two walls, each of which alone would hold.

The resolver vets all addresses of a name before the connector sees any of them. The socket factory
vets the address of each socket, so that a literal address, for which aiohttp asks no resolver, can
not slip past.
"""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from ipaddress import ip_address
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ConnectionKey

from apps.common.egress import BlockedAddress, EgressPolicy
from apps.common.special_addresses import IPAddress
from apps.delivery.clients.answers import AnswerProtocol
from apps.delivery.clients.exchange import Resolve, current_exchange
from apps.delivery.clients.failures import RefusedSocket
from apps.delivery.clients.lookups import DNS_THREADS
from apps.delivery.clients.tunnels import open_tunnel

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import AddrInfoType
    from aiohttp.tracing import Trace

# An answer is kept this long; its addresses were vetted, and stay the ones connected to.
DNS_TTL_S: Final = 10


class GuardedConnector(aiohttp.TCPConnector):
    """A connection pool that only reaches what its policy lets through.

    Notes in the current exchange whether a connection is new and how long making it took; aiohttp's
    own tracing would tell the same at 25 µs for every request, new connection or not.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        resolve: Resolve,
        ssl_context: ssl.SSLContext,
    ) -> None:
        self._policy = policy
        self._vetting_resolver = VettingResolver(policy, resolve)
        super().__init__(
            resolver=self._vetting_resolver,
            socket_factory=self._open_socket,
            ssl=ssl_context,
            limit=0,
            ttl_dns_cache=DNS_TTL_S,
        )
        self._factory = partial(AnswerProtocol, self._loop)  # type: ignore[assignment, arg-type]

    def _open_socket(self, address_info: "AddrInfoType") -> socket.socket:
        family, kind, protocol, _, address = address_info
        self._vet(ip_address(address[0]))
        return socket.socket(family, kind, protocol)

    def _vet(self, address: IPAddress) -> None:
        try:
            self._policy.vet_address(address)
        except BlockedAddress as blocked:
            raise RefusedSocket(blocked) from blocked

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: "list[Trace]", timeout: aiohttp.ClientTimeout
    ) -> "ResponseHandler":
        exchange = current_exchange.get()
        exchange.connecting = True
        started = perf_counter()
        protocol = await super()._create_connection(req, traces, timeout)
        exchange.connect_ms = (perf_counter() - started) * 1000 - (exchange.dns_ms or 0.0)
        return protocol

    async def _wrap_create_connection(
        self,
        *args: Any,
        addr_infos: "list[AddrInfoType]",
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **kwargs: Any,
    ) -> "tuple[asyncio.Transport, ResponseHandler]":
        """Connect to one of the addresses; through a tunnel, where there is a proxy."""
        proxy = self._policy.proxy
        if proxy is None:
            return await super()._wrap_create_connection(
                *args,
                addr_infos=addr_infos,
                req=req,
                timeout=timeout,
                client_error=client_error,
                **kwargs,
            )
        address, port = ip_address(addr_infos[0][4][0]), addr_infos[0][4][1]
        try:
            self._vet(address)
            async with asyncio.timeout(timeout.sock_connect):
                sock = await open_tunnel(proxy, address, port)
                return await self._loop.create_connection(*args, **kwargs, sock=sock)
        except ssl.SSLCertVerificationError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from error
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from error
        except TimeoutError:
            raise
        except OSError as error:
            raise client_error(req.connection_key, error) from error

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Close all connections, those in use as well, and the resolver's threads."""
        await super().close(abort_ssl=abort_ssl)
        await self._vetting_resolver.close()


class ConnectRequest(aiohttp.ClientRequest):
    """Tells the connector where to connect, and is never sent; its key is worked out once."""

    @cached_property
    def connection_key(self) -> ConnectionKey:
        """What connections are pooled by."""
        return super().connection_key


class VettingResolver(AbstractResolver):
    """Asks the system resolver in threads of its own and lets only vetted answers through."""

    def __init__(self, policy: EgressPolicy, resolve: Resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Look a name up; one address that is not allowed refuses the whole answer.

        Raises BlockedAddress, UnresolvableHost for an empty answer, or the resolver's OSError.
        """
        exchange = current_exchange.get()
        started = perf_counter()
        lookup = partial(self._resolve, host, port, family=family, type=socket.SOCK_STREAM)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        finally:
            exchange.dns_ms = (perf_counter() - started) * 1000
        addresses = self._policy.vet_answer(host, [info[4][0] for info in answer])
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in dict.fromkeys(addresses)
        ]

    async def close(self) -> None:
        """Let the threads go; a lookup under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
