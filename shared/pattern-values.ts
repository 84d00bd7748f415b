/**
 * What of a label's value lasts. Parts that a machine invented (uuids, long hexadecimal, times, counters of five digits and more)
 * become `*`, the rest stays as it was written, and a value with nothing left is undefined.
 * Every expression looks at a value that was cut to MAX_VALUE first, so the cost of an alert is linear in its size.
 */
import { findDeploymentPod, findPodInDns, maskDeploymentPods } from './workload.ts';

/** Characters of a value that are looked at; Kubernetes names end at 253, URLs worth telling apart well before 512. */
export const MAX_VALUE = 512;
/** A value with spaces longer than this is prose. */
const MAX_PHRASE = 80;

const HAS_DIGIT = /\d/;
const UUID = /[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}/gi;
const HEX = /(?<![0-9a-z])(?:r|u|0x)?(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,512}(?![0-9a-z])/gi;
/** A hexadecimal tail glued to a word, as in `pod1a2b…` or `docker1a2b…`; only lengths people do not type. */
const HEX_GLUED = /(?<![0-9a-f])(?=[a-f]*\d)[0-9a-f]{32,512}/gi;
const DATE =
  /(?<!\d)(?:19|20)\d\d(?:[-_./](?:0[1-9]|1[0-2])(?:[-_./](?:0[1-9]|[12]\d|3[01]))?|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?:[t_.-]?[0-2]\d[:_.-]?[0-5]\d(?:[:_.-]?[0-5]\d)?(?:\.\d{1,9})?(?:z|[+-]\d\d:?\d\d)?)?(?!\d)/gi;
const CLOCK = /(?<!\d)[0-2]\d:[0-5]\d(?::[0-5]\d)?(?!\d)/g;
const LONG_NUMBER = /(?<![\d.])\d{5,512}/g;
/** Base64 and the like: at least 20 characters in one run with all three kinds. */
const TOKEN =
  /(?<![A-Za-z0-9])(?=[A-Z0-9]{0,512}[a-z])(?=[a-z0-9]{0,512}[A-Z])(?=[A-Za-z]{0,512}\d)[A-Za-z0-9]{20,512}=?/g;
/** Names servers invent for queues that die with a connection. */
const GENERATED_QUEUE = /^(amq\.gen|amq_[0-9a-z]+|sysqueue|tmp[-_.]?(?:queue)?)[-_.].*$/i;
/** Small numbers beside a masked part belong to it: `2024-01-15-8784`. */
const BESIDE_MASK = /(?:\d{1,4}[-_.:]){0,4}\*(?:[-_.:]?(?:\d+(?![0-9a-z])|\*))*/gi;
const LETTERS = /\p{L}\P{L}*\p{L}/u;

const DECIMAL = /^[+-]?\d{1,40}[.,]\d{1,40}\s?(?:%|[a-z]{1,5}(?:\/s)?)?$/i;
const QUANTITY = /^[+-]?\d{1,40}\s?(?:%|[kmgtpe]i?b?|b|bytes|ms|us|ns|s|sec|m|min|h|d|w)$/i;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(:\d{1,5})?(\/\d{1,2})?$/;
const IPV6 = /^\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%[0-9a-z]{1,20})?\]?(?::\d{1,5})?(?:\/\d{1,3})?$/i;
const MAC = /^(?:[0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}$/i;
/** Ids clouds give to things that stay: machines, volumes, networks. */
const CLOUD_ID =
  /^(?:i|vol|fs|fsap|nat|vpc|subnet|sg|tgw|vpn|vgw|cgw|igw|rtb|eipalloc|dxcon|dxvif|lb|db)-[0-9a-f]{8,17}$/;
/** Cluster DNS of an address: `10-42-1-2.shop.pod.cluster.local`. */
const ADDRESS_IN_DNS = /^\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}\.[^.]+\.(?:pod|[^.]+\.svc)(?:\.|$)/;
const PORT = /:(\d{1,5})$/;
/** Ports above this are handed out by the kernel (RFC 6335 dynamic range) and mean nothing. */
const FIRST_EPHEMERAL_PORT = 49152;
const URL_PARTS = /^([a-z][a-z0-9+.-]{1,15}):\/\/([^/?#]*)([^?#]*)/i;

/** Interfaces that live as long as a container, a virtual machine or a call. */
const EPHEMERAL_INTERFACE =
  /^(?:(veth)[0-9a-z_.@-]*|(cali|lxc|azv|gke|eni|cbr|tap|qbr|qvo|qvb)[0-9a-f]{6,}[0-9a-f@-]*|(br-)[0-9a-f]{12}|(vnet)\d+)$/;
/** Units systemd makes up per run or session. */
const EPHEMERAL_UNIT = /^(run-|session-|user@|user-)(.*)(\.(?:service|scope|slice|mount|timer|socket))$/;
const UNIT_TAIL = /[0-9a-f]{6,}|\d{3,}|^\d+$/i;

/** Takes out what a machine invented; undefined when nothing a person would recognise is left. */
export function maskName(value: string): string | undefined {
  if (!HAS_DIGIT.test(value))
    return GENERATED_QUEUE.test(value) ? value.replace(GENERATED_QUEUE, '$1-*') : value;
  const pod = findDeploymentPod(value);
  if (pod !== undefined) return pod;
  if (GENERATED_QUEUE.test(value)) return value.replace(GENERATED_QUEUE, '$1-*');
  const masked = maskParts(value);
  if (masked === value) return value;
  const rest = masked.replace(BESIDE_MASK, '*');
  return LETTERS.test(rest) ? rest : undefined;
}

/** As maskName, but also without values, addresses and prose: for labels nothing is known about. */
export function maskWord(value: string): string | undefined {
  if (/\s/.test(value) && value.length > MAX_PHRASE) return undefined;
  if (!HAS_DIGIT.test(value)) return maskName(value);
  if (DECIMAL.test(value) || QUANTITY.test(value)) return undefined;
  if (MAC.test(value) || CLOUD_ID.test(value)) return value.toLowerCase();
  if (isAddress(value)) return undefined;
  if (URL_PARTS.test(value)) return toUrlShape(value);
  if (value.includes('/')) return maskName(maskIds(value));
  const dns = value.includes('.') ? findPodInDns(value.replace(PORT, '')) : undefined;
  return dns ?? maskName(value);
}

/** A summary with its numbers, ids, addresses and pods masked, for the alert that has nothing else. */
export function maskText(text: string): string {
  return text
    .slice(0, MAX_VALUE)
    .split(/\s+/)
    .map((word) => {
      if (!HAS_DIGIT.test(word)) return word;
      const [, open = '', core = '', close = ''] = /^([("'[{<]*)(.*?)([)"'\]}>,;:.!?%]*)$/.exec(word) ?? [];
      const known = isAddress(core) ? '#' : (maskName(core) ?? '#').replaceAll('*', '#');
      return `${open}${known.replace(/\d+(?:[.,:]\d+)*/g, '#')}${close}`;
    })
    .join(' ')
    .trim();
}

/** Scheme, host, written port and the shape of the path; ids in the path become `*`, query and credentials are gone. */
export function toUrlShape(value: string): string {
  const parts = URL_PARTS.exec(value);
  if (parts === null) return toPathShape(value);
  const [, scheme = '', authority = '', path = ''] = parts;
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  return `${scheme.toLowerCase()}://${withoutEphemeralPort(host)}${toPathShape(path)}`;
}

function toPathShape(path: string): string {
  const [bare = ''] = path.split(/[?#]/, 1);
  const shape = bare
    .split('/')
    .map((segment) => (isPathId(segment) ? '*' : segment))
    .join('/');
  return shape.length > 1 && shape.endsWith('/') ? shape.slice(0, -1) : shape === '/' ? '' : shape;
}

function isPathId(segment: string): boolean {
  if (!HAS_DIGIT.test(segment)) return false;
  return (
    /^\d+$/.test(segment) || /^(?=.*\d.*\d)[A-Za-z0-9_-]{20,}$/.test(segment) || maskName(segment) !== segment
  );
}

/** Host of a `host:port`, lower case; the owner where it is a pod behind a headless service. */
export function toHost(value: string): string {
  const host = withoutPort(value).toLowerCase();
  return findPodInDns(host) ?? findDeploymentPod(host) ?? host;
}

/** A target as it was typed, without a port the kernel chose. */
export function toTarget(value: string): string {
  return value.includes('://') ? toUrlShape(value) : withoutEphemeralPort(value).replace(/\/$/, '');
}

function withoutEphemeralPort(host: string): string {
  const port = PORT.exec(host);
  return port !== null && Number(port[1]) >= FIRST_EPHEMERAL_PORT ? host.slice(0, port.index) : host;
}

/** A `host:port` without its port; an IPv6 address keeps its colons. */
export function withoutPort(value: string): string {
  if (value.startsWith('[')) return value.slice(1).split(']', 1)[0] ?? value;
  return value.indexOf(':') === value.lastIndexOf(':') ? value.replace(PORT, '') : value;
}

/** Whether a value is an IP address or network, with or without a port. */
export function isAddress(value: string): boolean {
  return IPV4.test(value) || (value.includes(':') && !MAC.test(value) && IPV6.test(value));
}

/**
 * Whether an address is one a cluster gives to pods, by the defaults of the usual networks: k3s and RKE 10.42/16, kubeadm,
 * flannel, Talos and AKS 10.244/16, kubespray 10.233/16, OpenShift 10.128/14. Such an address never names a machine.
 */
export function isPodAddress(value: string): boolean {
  if (ADDRESS_IN_DNS.test(value)) return true;
  const [, a, b] = IPV4.exec(value) ?? [];
  if (a !== '10') return false;
  const second = Number(b);
  return second === 42 || second === 244 || second === 233 || (second >= 128 && second < 132);
}

/** Device or interface; those that come and go keep their kind only. */
export function toPart(value: string): string {
  const kind = EPHEMERAL_INTERFACE.exec(value)
    ?.slice(1)
    .find((group) => group !== undefined);
  if (kind !== undefined) return `${kind}*`;
  return value.startsWith('pvc-') ? value : maskIds(value);
}

/** The name of an object: a Deployment's pod gives its owner, uuids are masked, everything else stays. */
export function toObjectName(value: string): string {
  return findDeploymentPod(value) ?? maskIds(value);
}

/** A path in a file system: only uuids and long hexadecimal are masked, `/mnt/disk1` stays. */
export function toMountpoint(value: string): string {
  return maskIds(value).replace(HEX, '*');
}

/** A name of a unit, container or object; units of one run become `run-*.service`. */
export function toName(value: string): string | undefined {
  const [, kind = '', tail = '', ending = ''] = EPHEMERAL_UNIT.exec(value) ?? [];
  if (UNIT_TAIL.test(tail)) return `${kind}*${ending}`;
  if (value.includes('.svc') || isAddress(value) || PORT.test(value)) return toHost(value);
  return maskName(value.replace(/\.(\d{1,3})\.[0-9a-z]{25}$/, ''));
}

/** HTTP status as its class, `5xx`; anything else as it is. */
export function toCodeClass(value: string): string {
  return /^[1-5]\d\d$/.test(value) ? `${value[0]}xx` : /^[1-5]xx$/i.test(value) ? value.toLowerCase() : value;
}

function maskIds(value: string): string {
  return HAS_DIGIT.test(value) ? value.replace(UUID, '*').replace(HEX_GLUED, '*') : value;
}

function maskParts(value: string): string {
  return maskDeploymentPods(value)
    .replace(UUID, '*')
    .replace(DATE, '*')
    .replace(CLOCK, '*')
    .replace(HEX, '*')
    .replace(HEX_GLUED, '*')
    .replace(TOKEN, '*')
    .replace(LONG_NUMBER, '*');
}
