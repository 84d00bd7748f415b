/**
 * Who stands behind a request, as far as proxies we trust vouch for it. Pure.
 *
 * Every proxy on the way appends its own peer to X-Forwarded-For, the queue-proxy and the activator of Knative included
 * (Go's httputil.ReverseProxy with a Director does). So the list is read from the right, and what a trusted hop did not
 * append itself is hearsay. Loopback is passed over, because the queue-proxy calls from there, but it vouches for
 * nothing unless it is listed.
 */
import { BlockList, isIP } from 'node:net';

const LOOPBACK = createList(['127.0.0.0/8', '::1/128']);

export interface Origin {
  /** Address of whoever asked; '' when not known. */
  readonly client: string;
  /** Whether a listed proxy brought the request in, so that headers which it always sets can be believed. */
  readonly viaTrustedProxy: boolean;
}

/** Finds the last hop that is not trusted: the one who really asked. */
export function findOrigin(remoteAddress: string, forwardedFor: string | null, trusted: BlockList): Origin {
  const hops = [...(forwardedFor ?? '').split(','), remoteAddress].map(toAddress).filter((hop) => hop !== '');
  let at = hops.length - 1;
  while (at > 0 && (contains(LOOPBACK, hops[at]) || contains(trusted, hops[at]))) at--;
  const client = hops[at] ?? '';
  return {
    client: isIP(client) === 0 ? '' : client,
    viaTrustedProxy: contains(trusted, client) || contains(trusted, hops[at + 1]),
  };
}

/** The network of an address, /24 or /48: enough to see one place act many times, too little to know a person. */
export function networkOf(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  if (isIP(address) === 6) return `${expand(address).slice(0, 3).join(':')}::/48`;
  return 'unknown';
}

/** Reads a comma-separated list of addresses and CIDRs; null when one of them is none. */
export function parseNetworks(text: string): BlockList | null {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.length > 0 && entries.every(isNetwork) ? createList(entries) : null;
}

function isNetwork(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function createList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const isV4 = isIP(address) === 4;
    list.addSubnet(address, bits === undefined ? (isV4 ? 32 : 128) : Number(bits), isV4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function contains(list: BlockList, hop: string | undefined): boolean {
  const family = isIP(hop ?? '');
  return hop !== undefined && family !== 0 && list.check(hop, family === 4 ? 'ipv4' : 'ipv6');
}

/** An address without port, brackets or IPv4-in-IPv6 spelling; anything else stays what it is and is trusted by nobody. */
function toAddress(hop: string): string {
  const text = hop.trim().toLowerCase();
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1] ?? bare;
}

/** The eight groups of an IPv6 address, without leading zeros. */
function expand(address: string): string[] {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':').flatMap(splitV4);
  const left = groups(head);
  const right = groups(tail);
  const zeros = Array.from({ length: Math.max(8 - left.length - right.length, 0) }, () => '0');
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16).toString(16));
}

function splitV4(group: string): string[] {
  if (!group.includes('.')) return [group];
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}
