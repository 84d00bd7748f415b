import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planArrivals } from '../../../../functions/receive/episodes.ts';
import type { Arrival, EpisodeState, IncidentState, Plan } from '../../../../functions/receive/episodes.ts';
import { at, makeArrival } from '../../../support/alerts.ts';

/** A memory of everything planned so far, as the database would be: each call is one webhook. */
class Memory {
  readonly episodes = new Map<string, EpisodeState>();
  readonly incidents = new Map<string, IncidentState>();
  readonly plans: Plan[] = [];
  #id = 0;

  receive(...arrivals: Arrival[]): Plan {
    const plan = planArrivals(arrivals, this.episodes, this.incidents);
    for (const { state } of plan.newEpisodes) state.id = String(++this.#id);
    this.plans.push(plan);
    return plan;
  }

  get kinds(): string[] {
    return this.plans.flatMap((plan) =>
      plan.notices.map((notice) => notice.id.slice(notice.id.indexOf('.') + 1)),
    );
  }

  get stored(): EpisodeState[] {
    return this.plans.flatMap((plan) => plan.newEpisodes.map(({ state }) => state));
  }
}

const firing = (start: number, receivedAt = start, labels: Record<string, string> = {}): Arrival =>
  makeArrival({ startsAt: at(start), receivedAt: at(receivedAt), labels });
const resolved = (
  start: number,
  end: number,
  receivedAt = end,
  labels: Record<string, string> = {},
): Arrival =>
  makeArrival({
    status: 'resolved',
    startsAt: at(start),
    endsAt: at(end),
    receivedAt: at(receivedAt),
    labels,
  });
const pod = (n: number): Record<string, string> => ({ pod: `api-7d9f8b6c5-x${n}bcd`, deployment: 'api' });

describe('one life of one alert', () => {
  it('opens an incident with its first alert and closes it with the last', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    memory.receive(resolved(0, 10));
    expect(memory.kinds).toEqual(['opened', 'resolved']);
    expect(memory.stored).toMatchObject([{ endReason: 'resolved', endedAt: at(10) }]);
  });

  it('changes no number when a group is sent again', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    const again = memory.receive(firing(0, 5), firing(0, 5));
    expect(again).toMatchObject({ newEpisodes: [], newIncidents: [], notices: [], changedIncidents: [] });
  });

  it('writes nothing for an unchanged repeat within a minute, then only when it was last seen', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    expect(memory.receive(firing(0, 0.5)).changedEpisodes).toEqual([]);
    expect(memory.receive(firing(0, 2)).changedEpisodes).toMatchObject([
      { lastSeen: at(2), startsAt: at(0) },
    ]);
  });

  it('lets the start move earlier, never later', () => {
    const memory = new Memory();
    memory.receive(firing(5));
    memory.receive(firing(3, 6));
    memory.receive(firing(4.5, 8));
    expect(memory.stored).toMatchObject([{ startsAt: at(3) }]);
  });

  it('takes a start more than two minutes later as a new life whose resolve was lost', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    memory.receive(firing(30));
    expect(memory.stored).toMatchObject([
      { endReason: 'lost-resolve', endedAt: at(0) },
      { endedAt: null, startsAt: at(30) },
    ]);
    expect(memory.kinds).toEqual(['opened', 'resolved', 'opened']);
  });

  it('corrects the end of a life that was closed for want of one', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    const [first] = memory.stored;
    if (first === undefined) throw new Error('nothing stored');
    first.endedAt = at(5);
    first.endReason = 'stale';
    memory.receive(resolved(0, 20));
    expect(memory.stored).toMatchObject([{ endReason: 'resolved', endedAt: at(20) }]);
  });
});

describe('copies that come late or early', () => {
  it('stores a resolve that overtakes its firing and lets the late firing open nothing', () => {
    const memory = new Memory();
    memory.receive(resolved(0, 2));
    memory.receive(firing(0, 3));
    expect(memory.kinds).toEqual([]);
    expect(memory.stored).toMatchObject([{ startsAt: at(0), endedAt: at(2), incident: null }]);
  });

  it('reopens an ended life that fires again with its old start after five minutes', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    memory.receive(resolved(0, 10));
    memory.receive(firing(0, 14.9));
    memory.receive(firing(0, 15.1));
    expect(memory.kinds).toEqual(['opened', 'resolved', 'opened']);
    expect(memory.stored).toHaveLength(1);
    expect(memory.stored).toMatchObject([{ endedAt: null, endReason: null }]);
  });

  it('does not end the present life with the late resolve of the life before', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    memory.receive(firing(30));
    memory.receive(resolved(0, 20, 31));
    expect(memory.stored[1]).toMatchObject({ endedAt: null });
  });

  it('does not pull the present start back to a late copy of the life before', () => {
    const memory = new Memory();
    memory.receive(firing(0));
    memory.receive(resolved(0, 10));
    memory.receive(firing(20));
    memory.receive(firing(0, 21));
    expect(memory.stored).toMatchObject([{ startsAt: at(0) }, { startsAt: at(20), endedAt: null }]);
  });

  it('counts fire, resolve, fire in one webhook as two lives and two incidents', () => {
    const memory = new Memory();
    memory.receive(firing(0), resolved(0, 1), firing(2));
    expect(memory.stored).toHaveLength(2);
    expect(memory.kinds).toEqual(['opened', 'resolved', 'opened']);
    expect(new Set(memory.plans.flatMap((plan) => plan.newIncidents.map(({ state }) => state.id))).size).toBe(
      2,
    );
  });

  it('stores the same alert twice in one webhook once', () => {
    const memory = new Memory();
    memory.receive(firing(0), firing(0));
    expect(memory.stored).toHaveLength(1);
  });
});

describe('incidents of several alerts', () => {
  it('tells one opening for a whole group, with its size', () => {
    const memory = new Memory();
    const plan = memory.receive(...[1, 2, 3, 4, 5].map((n) => firing(0, 0, pod(n))));
    expect(plan.notices).toMatchObject([{ kind: 'opened', openEpisodes: 5 }]);
    expect(plan.newIncidents).toMatchObject([{ state: { openEpisodes: 5, episodes: 5, grownTo: 4 } }]);
  });

  it('makes growth news at 2, 4, 8 open alerts, once each', () => {
    const memory = new Memory();
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 9]) memory.receive(firing(n, n, pod(n)));
    expect(memory.kinds).toEqual(['opened', 'grew-2', 'grew-4', 'grew-8']);
    memory.receive(resolved(1, 20, 20, pod(1)), resolved(2, 20, 20, pod(2)));
    memory.receive(firing(30, 30, pod(1)), firing(30, 30, pod(2)));
    expect(memory.kinds).toHaveLength(4);
  });

  it('closes nothing while other alerts of the incident still fire', () => {
    const memory = new Memory();
    memory.receive(firing(0, 0, pod(1)), firing(0, 0, pod(2)));
    memory.receive(resolved(0, 5, 5, pod(1)));
    expect(memory.kinds).toEqual(['opened']);
    memory.receive(resolved(0, 6, 6, pod(2)));
    expect(memory.kinds).toEqual(['opened', 'resolved']);
  });
});

describe('whatever comes in whatever order', () => {
  const step = fc.record({
    pod: fc.integer({ min: 1, max: 3 }),
    status: fc.constantFrom('firing' as const, 'resolved' as const),
    start: fc.integer({ min: 0, max: 40 }),
    length: fc.integer({ min: 0, max: 30 }),
    delay: fc.integer({ min: 0, max: 12 }),
  });

  it('keeps one open episode per key, and incidents open exactly while they have open episodes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const memory = new Memory();
        let clock = 0;
        for (const { pod: n, status, start, length, delay } of steps) {
          clock = Math.max(clock + delay, start + (status === 'resolved' ? length : 0));
          memory.receive(
            status === 'firing'
              ? firing(start, clock, pod(n))
              : resolved(start, start + length, clock, pod(n)),
          );
          const open = memory.stored.filter((episode) => episode.endedAt === null);
          expect(new Set(open.map((episode) => episode.key)).size).toBe(open.length);
          const [incident] = memory.incidents.values();
          expect(incident?.openEpisodes ?? 0).toBe(open.length);
          for (const episode of memory.stored)
            expect(episode.endedAt === null || episode.endedAt >= episode.startsAt).toBe(true);
        }
        const openings = memory.kinds.filter((kind) => kind === 'opened').length;
        const endings = memory.kinds.filter((kind) => kind === 'resolved').length;
        expect(openings - endings).toBe(memory.incidents.size);
      }),
      { numRuns: 500 },
    );
  });

  it('plans nothing when everything is received a second time at once', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const memory = new Memory();
        for (const { pod: n, start } of steps) {
          const arrival = firing(start, 60, pod(n));
          memory.receive(arrival);
          const again = memory.receive(arrival);
          expect(again).toMatchObject({ newEpisodes: [], notices: [], newIncidents: [] });
        }
      }),
    );
  });
});
