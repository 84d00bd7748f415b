import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../../shared/cloud-event.ts';
import { EVENTS } from '../../../shared/events.ts';
import type { EventType } from '../../../shared/events.ts';
import { toCatalogue } from '../../../cli/event.ts';
import { sampleEvent } from '../../../cli/sample-events.ts';

const TYPES = Object.keys(EVENTS) as EventType[];
const NOW = new Date('2026-03-11T08:00:00Z');

describe('sampleEvent', () => {
  it.each(TYPES)('%s is an event that the functions can read', (type) => {
    const { event, consumer } = sampleEvent(type, NOW);
    const text = Buffer.from(JSON.stringify(event));
    const read = parseEvent({ 'content-type': 'application/cloudevents+json' }, text);
    expect(read.type).toBe(type);
    expect(read.data).toBeTypeOf('object');
    const consumers: readonly string[] = EVENTS[type].consumedBy;
    expect(consumer).toBe(consumers[0] ?? null);
  });

  it('is told apart from the other tick by its extension', () => {
    expect(sampleEvent('dev.knative.sources.ping', NOW).event['tick']).toBe('sweep');
  });
});

it('lists every type of the catalogue', () => {
  for (const type of TYPES) expect(toCatalogue()).toContain(type);
});
