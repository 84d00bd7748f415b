/**
 * What a webhook's alerts mean for the episodes, incidents and notices we already know: the heart of counting.
 * Pure: takes what the database holds and answers what to write. Invariants: one open episode per key; an incident is
 * open exactly while it has open episodes; re-sent groups, repeats, HA twins and retries change no number.
 */
import { createHash } from 'node:crypto';
import type { Alert } from '../../shared/alert.ts';
import type { Pattern } from '../../shared/pattern.ts';

/** An open episode whose alert starts this much later began a new life: its resolve was lost. */
const NEW_LIFE_MS = 2 * 60_000;
/** A firing copy of an ended episode that comes within this time of the resolve was merely late. */
const LATE_COPY_MS = 5 * 60_000;
/** An unchanged repeat writes `last_seen` at most this often. */
const TOUCH_MS = 60_000;

/** A usable alert with its pattern and the time it was received. */
export interface Arrival {
  readonly alert: Alert;
  readonly pattern: Pattern;
  readonly receivedAt: Date;
  readonly traceparent: string;
  /** Raised by alertgest about itself. */
  readonly own: boolean;
}

/** An episode as stored, or as this plan will store it (`id` null). */
export interface EpisodeState {
  id: string | null;
  readonly key: string;
  /** Pattern of the incident it joined; its end may come with another text, and so another pattern. */
  pattern: string;
  incident: string | null;
  startsAt: Date;
  endedAt: Date | null;
  endReason: 'resolved' | 'lost-resolve' | 'stale' | null;
  lastSeen: Date;
  endReceivedAt: Date | null;
  /** When the life before this one ended; null when there was none. */
  readonly previousEnd: Date | null;
}

export interface IncidentState {
  readonly id: string;
  readonly pattern: string;
  openEpisodes: number;
  episodes: number;
  grownTo: number;
  closedAt: Date | null;
}

export interface NewEpisode {
  readonly arrival: Arrival;
  readonly state: EpisodeState;
}

export interface NewIncident {
  readonly state: IncidentState;
  readonly openedAt: Date;
}

export interface NewNotice {
  readonly id: string;
  readonly incident: string;
  readonly pattern: string;
  readonly kind: 'opened' | 'grew' | 'resolved';
  readonly arrival: Arrival;
  openEpisodes: number;
}

/** Everything to write, and what it was about. */
export interface Plan {
  readonly newEpisodes: readonly NewEpisode[];
  readonly changedEpisodes: readonly EpisodeState[];
  readonly newIncidents: readonly NewIncident[];
  readonly changedIncidents: readonly IncidentState[];
  readonly notices: readonly NewNotice[];
  /** Late copies and repeated ends: of episodes that are stored, and that they did not change. */
  readonly duplicates: number;
}

/** Works through the arrivals in order. `episodes` (latest per key) and `incidents` (open, per pattern) are changed in place. */
export function planArrivals(
  arrivals: readonly Arrival[],
  episodes: Map<string, EpisodeState>,
  incidents: Map<string, IncidentState>,
): Plan {
  const planner = new Planner(episodes, incidents);
  for (const arrival of arrivals) {
    if (arrival.alert.status === 'firing') planner.firing(arrival);
    else planner.resolved(arrival);
  }
  return planner.finish();
}

class Planner {
  readonly #episodes: Map<string, EpisodeState>;
  readonly #incidents: Map<string, IncidentState>;
  readonly #newEpisodes: NewEpisode[] = [];
  readonly #changedEpisodes = new Set<EpisodeState>();
  readonly #newIncidents = new Map<string, NewIncident>();
  readonly #changedIncidents = new Set<IncidentState>();
  readonly #grown = new Map<IncidentState, Arrival>();
  readonly #notices: NewNotice[] = [];
  #duplicates = 0;

  constructor(episodes: Map<string, EpisodeState>, incidents: Map<string, IncidentState>) {
    this.#episodes = episodes;
    this.#incidents = incidents;
  }

  firing(arrival: Arrival): void {
    const { alert, receivedAt } = arrival;
    const known = this.#episodes.get(alert.key);
    if (known === undefined) return this.#open(arrival, null);
    if (known.endedAt === null) {
      // A late copy of the life before must not pull this one's start back.
      if (known.previousEnd !== null && alert.startsAt <= known.previousEnd) return this.#ignore();
      if (!beganAnew(known, alert.startsAt)) return this.#repeat(known, arrival);
      this.#close(known, arrival, 'lost-resolve', earlier(known.lastSeen, alert.startsAt));
      return this.#open(arrival, known);
    }
    if (alert.startsAt > known.endedAt) return this.#open(arrival, known);
    const endKnownSince = known.endReceivedAt ?? known.endedAt;
    if (receivedAt.getTime() - endKnownSince.getTime() <= LATE_COPY_MS) return this.#ignore();
    this.#reopen(known, arrival);
  }

  resolved(arrival: Arrival): void {
    const { alert } = arrival;
    const endsAt = alert.endsAt ?? arrival.receivedAt;
    const known = this.#episodes.get(alert.key);
    if (known === undefined) return this.#insert(arrival, null, endsAt);
    if (known.endedAt === null) {
      if (beganAnew(known, alert.startsAt)) {
        this.#close(known, arrival, 'lost-resolve', earlier(known.lastSeen, alert.startsAt));
        return this.#insert(arrival, known, endsAt);
      }
      // The end of a former life, told late.
      if (endsAt < known.startsAt) return this.#ignore();
      return this.#close(known, arrival, 'resolved', endsAt);
    }
    if (alert.startsAt > known.endedAt) return this.#insert(arrival, known, endsAt);
    if (known.endReason !== 'resolved' && endsAt >= known.startsAt) {
      // The true end of a life that was closed for want of one.
      known.endedAt = endsAt;
      known.endReason = 'resolved';
      return this.#changed(known);
    }
    this.#ignore();
  }

  finish(): Plan {
    for (const [incident, arrival] of this.#grown) {
      const step = powerOfTwoBelow(incident.openEpisodes);
      if (step <= incident.grownTo) continue;
      incident.grownTo = step;
      this.#incidentChanged(incident);
      if (!this.#newIncidents.has(incident.id)) this.#notice(incident, 'grew', arrival, `grew-${step}`);
    }
    for (const notice of this.#notices) {
      const created = this.#newIncidents.get(notice.incident);
      if (notice.kind === 'opened' && created !== undefined) notice.openEpisodes = created.state.openEpisodes;
    }
    return {
      newEpisodes: this.#newEpisodes,
      changedEpisodes: [...this.#changedEpisodes],
      newIncidents: [...this.#newIncidents.values()],
      changedIncidents: [...this.#changedIncidents],
      notices: this.#notices,
      duplicates: this.#duplicates,
    };
  }

  /** Stores an episode; `endsAt` is null while it fires. */
  #store(arrival: Arrival, before: EpisodeState | null, endsAt: Date | null): EpisodeState {
    const state: EpisodeState = {
      id: null,
      key: arrival.alert.key,
      pattern: arrival.pattern.pattern,
      incident: null,
      startsAt: arrival.alert.startsAt,
      endedAt: endsAt,
      endReason: endsAt === null ? null : 'resolved',
      lastSeen: arrival.receivedAt,
      endReceivedAt: endsAt === null ? null : arrival.receivedAt,
      previousEnd: before?.endedAt ?? null,
    };
    this.#episodes.set(state.key, state);
    this.#newEpisodes.push({ arrival, state });
    return state;
  }

  /** An episode that is over before it was seen firing is counted, and no news. */
  #insert(arrival: Arrival, before: EpisodeState | null, endsAt: Date): void {
    this.#store(arrival, before, endsAt);
  }

  #open(arrival: Arrival, before: EpisodeState | null): void {
    const state = this.#store(arrival, before, null);
    state.incident = this.#join(arrival).id;
  }

  #reopen(known: EpisodeState, arrival: Arrival): void {
    known.endedAt = null;
    known.endReason = null;
    known.endReceivedAt = null;
    known.lastSeen = arrival.receivedAt;
    known.pattern = arrival.pattern.pattern;
    known.incident = this.#join(arrival).id;
    this.#changed(known);
  }

  #join(arrival: Arrival): IncidentState {
    const pattern = arrival.pattern.pattern;
    const open = this.#incidents.get(pattern);
    if (open !== undefined) {
      open.openEpisodes++;
      open.episodes++;
      this.#incidentChanged(open);
      this.#grown.set(open, arrival);
      return open;
    }
    const id = incidentId(arrival);
    const state: IncidentState = { id, pattern, openEpisodes: 1, episodes: 1, grownTo: 1, closedAt: null };
    this.#incidents.set(pattern, state);
    this.#newIncidents.set(id, { state, openedAt: arrival.receivedAt });
    this.#notice(state, 'opened', arrival, 'opened');
    return state;
  }

  #repeat(known: EpisodeState, arrival: Arrival): void {
    const { alert, receivedAt } = arrival;
    const isEarlier = alert.startsAt < known.startsAt;
    if (!isEarlier && receivedAt.getTime() - known.lastSeen.getTime() < TOUCH_MS) return;
    // Alertmanager merges to the earliest start; later ones are the same life told by a replica.
    if (isEarlier) known.startsAt = alert.startsAt;
    if (receivedAt > known.lastSeen) known.lastSeen = receivedAt;
    this.#changed(known);
  }

  #close(known: EpisodeState, arrival: Arrival, reason: 'resolved' | 'lost-resolve', endsAt: Date): void {
    known.endedAt = endsAt < known.startsAt ? known.startsAt : endsAt;
    known.endReason = reason;
    known.endReceivedAt = arrival.receivedAt;
    this.#changed(known);
    const incident = this.#incidents.get(known.pattern);
    if (incident === undefined || incident.id !== known.incident) return;
    incident.openEpisodes--;
    this.#incidentChanged(incident);
    if (incident.openEpisodes > 0) return;
    incident.closedAt = arrival.receivedAt;
    this.#incidents.delete(incident.pattern);
    this.#grown.delete(incident);
    this.#notice(incident, 'resolved', arrival, 'resolved');
  }

  #notice(incident: IncidentState, kind: NewNotice['kind'], arrival: Arrival, what: string): void {
    this.#notices.push({
      id: `${incident.id}.${what}`,
      incident: incident.id,
      pattern: incident.pattern,
      kind,
      arrival,
      openEpisodes: incident.openEpisodes,
    });
  }

  #ignore(): void {
    this.#duplicates++;
  }

  #changed(episode: EpisodeState): void {
    if (episode.id !== null) this.#changedEpisodes.add(episode);
  }

  #incidentChanged(incident: IncidentState): void {
    if (!this.#newIncidents.has(incident.id)) this.#changedIncidents.add(incident);
  }
}

/** `ag-` and 16 hex digits, made of what opened it: the same opening is the same incident in a repeated transaction. */
function incidentId({ alert, pattern, receivedAt }: Arrival): string {
  const what = [pattern.pattern, alert.key, alert.startsAt.getTime(), receivedAt.getTime()].join('|');
  return `ag-${createHash('sha256').update(what).digest('hex').slice(0, 16)}`;
}

/** Whether a start means that an open episode ended unheard and began again. */
function beganAnew(known: EpisodeState, startsAt: Date): boolean {
  return startsAt.getTime() > known.startsAt.getTime() + NEW_LIFE_MS;
}

function powerOfTwoBelow(count: number): number {
  return count < 1 ? 0 : 2 ** Math.floor(Math.log2(count));
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
