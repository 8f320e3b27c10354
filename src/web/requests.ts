/**
 * Where a request comes from, as far as that can be known: which page made it,
 * and which address it was sent from.
 */
import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import proxyAddr from 'proxy-addr';

/**
 * Whether an origin is ours: the one students reach us at, or that of the host the request came to. A page without an
 * origin of its own, such as one in a sandbox, says `null`, and is nobody's.
 */
export function isOurOrigin(origin: string, { headers }: IncomingMessage, publicOrigin: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  if (publicOrigin !== undefined && new URL(publicOrigin).origin === origin) return true;
  return new URL(origin).host === headers.host;
}

/**
 * Whether one of our own pages has made it, or no page at all. A browser says so in `Sec-Fetch-Site`, which no script
 * can set; older ones, and those that reach us without TLS, in `Origin`.
 */
export function isFromOurPage(req: IncomingMessage, publicOrigin: string | undefined): boolean {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = req.headers;
  return origin === undefined || isOurOrigin(origin, req, publicOrigin);
}

/** Who sent a request, as one to be counted: an IPv4 address, or an IPv6 network of 64 bits, as one household has. */
export type AddressOf = (req: IncomingMessage) => string;

/** The proxies that are trusted, as addresses or networks, are believed about whom they ask for, and nobody else is. */
export function createAddresses(trustedProxies: readonly string[]): AddressOf {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  return (req) => {
    const told = proxyAddr(req, isTrusted);
    return networkOf(isIP(told) === 0 ? (req.socket.remoteAddress ?? '') : told);
  };
}

function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
