/** Times and durations as a phone shows them: short, with the zone named, never "NaN". */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "40 s", "4 min", "2 h 5 min", "3 d 4 h"; a negative or broken span reads "0 s". */
export function formatDuration(ms: number): string {
  if (!(ms >= SECOND)) return '0 s';
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'd', HOUR, 'h');
}

/** "02:30 UTC", with the date in front when it is not the day of `now`; an unknown zone falls back to UTC. */
export function formatTime(time: Date, now: Date, timeZone: string): string {
  if (Number.isNaN(time.getTime())) return 'an unknown time';
  const zone = knownZone(timeZone);
  const clock = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    timeZone: zone,
    timeZoneName: 'short',
  }).format(time);
  const day = dayOf(time, zone);
  return day === dayOf(now, zone) ? clock : `${day} ${clock}`;
}

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % big) / small);
  const first = `${Math.floor(ms / big)} ${bigName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

function dayOf(time: Date, timeZone: string): string {
  if (Number.isNaN(time.getTime())) return '';
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone }).format(time);
}

function knownZone(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
