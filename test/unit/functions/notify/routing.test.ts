import { expect, it } from 'vitest';
import { route } from '../../../../functions/notify/routing.ts';

const phone = { name: 'ntfy', sendResolved: false };
const pager = { name: 'webhook', sendResolved: true };

it('tells every channel of what is loud enough', () => {
  expect(route({ kind: 'opened', severity: 'warning' }, [phone, pager], 'warning').channels).toEqual([
    'ntfy',
    'webhook',
  ]);
});

it('says why nobody is told of what is not', () => {
  expect(route({ kind: 'opened', severity: 'info' }, [phone], 'warning')).toEqual({
    channels: [],
    why: 'info is below NOTIFY_MIN_SEVERITY (warning)',
  });
  expect(route({ kind: 'opened', severity: 'critical' }, [], 'warning')).toEqual({
    channels: [],
    why: 'no channel is configured',
  });
});

it('never holds an unknown severity back', () => {
  expect(route({ kind: 'opened', severity: 'unknown' }, [phone], 'critical').channels).toEqual(['ntfy']);
});

it('tells the end only to channels that want to hear it', () => {
  expect(route({ kind: 'resolved', severity: 'critical' }, [phone, pager], 'warning').channels).toEqual([
    'webhook',
  ]);
  expect(route({ kind: 'resolved', severity: 'critical' }, [phone], 'warning').why).toContain('over');
});
