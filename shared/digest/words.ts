/** Numbers, times and names as digests write them. Pure. */

const MINUTE_MS = 60_000;
/** Names from alerts are cut to this many characters. */
const NAME_CHARS = 120;

/** A whole number as people read it: 20,000. */
export function toNumber(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** A number with its noun: "1 alert", "20,000 alerts". */
export function countOf(value: number, noun: string, plural = `${noun}s`): string {
  return `${toNumber(value)} ${value === 1 ? noun : plural}`;
}

/** A share that never rounds up to all or down to none: 19,995 of 20,000 is not 100 %. */
export function percent(part: number, whole: number): string {
  if (part === whole) return '100 %';
  if (part === 0) return '0 %';
  const share = (part / whole) * 100;
  return share > 99.9 ? '> 99.9 %' : share < 0.1 ? '< 0.1 %' : `${share.toFixed(1)} %`;
}

/** A span of minutes: "40 s", "8 min", "5 h 36 min", "3 d 4 h". */
export function duration(minutes: number): string {
  if (minutes < 1) return `${Math.max(0, Math.floor(minutes * 60))} s`;
  const whole = Math.floor(minutes);
  if (whole < 60) return `${whole} min`;
  if (whole < 1_440) return join(Math.floor(whole / 60), 'h', whole % 60, 'min');
  return join(Math.floor(whole / 1_440), 'd', Math.floor((whole % 1_440) / 60), 'h');
}

function join(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** Whole and part minutes between two times. */
export function minutesBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / MINUTE_MS;
}

/** Writes times of one digest: the clock alone within its last day, with weekday or date further back. */
export interface Clock {
  /** "02:30", "Sat 02:30" or "2 Nov 02:30". */
  readonly at: (time: Date) => string;
  /** "Sun 14 Jan 18:00". */
  readonly edge: (time: Date) => string;
}

/** The clock of a digest in its zone; `to` is the end of its last window. */
export function createClock(zone: string, to: Date): Clock {
  const format = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', ...options });
  const near = format({});
  const week = format({ weekday: 'short' });
  const far = format({ day: 'numeric', month: 'short' });
  const edge = format({ weekday: 'short', day: 'numeric', month: 'short' });
  return {
    at(time) {
      const hoursAgo = minutesBetween(time, to) / 60;
      return (hoursAgo < 20 ? near : hoursAgo < 140 ? week : far).format(time).replaceAll(',', '');
    },
    edge: (time) => edge.format(time).replaceAll(',', ''),
  };
}

/** A name from an alert as one visible line; what reads like an address never becomes a link. */
export function toName(text: string): string {
  const visible = text
    .slice(0, NAME_CHARS * 4)
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replaceAll('://', '[:]//')
    .trim();
  return visible.length > NAME_CHARS ? `${visible.slice(0, NAME_CHARS - 1).toWellFormed()}…` : visible;
}

/** An address that may be offered as a link, else null. */
export function toLink(link: string | null | undefined): string | null {
  if (link === null || link === undefined || link.length > 512) return null;
  const url = URL.parse(link);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return null;
  return url.href.length > 512 ? null : url.href;
}

/** Some names of many: "a, b, c and 4 more". */
export function someOf(names: readonly string[], shown: number, all: number = names.length): string {
  const first = names.slice(0, shown);
  const rest = all - first.length;
  return `${first.join(', ')}${rest > 0 ? ` and ${toNumber(rest)} more` : ''}`;
}
