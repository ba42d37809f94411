import { describe, expect, it } from 'vitest';
import { addCounts, countReport, noCounts, summaryLine } from '../support/counts.mjs';

const report = { numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };

describe('the count of tests', () => {
  it('is the report’s', () => {
    expect(countReport(report, 1)).toEqual({ passed: 5, failed: 1, skipped: 3 });
  });

  it('has a failure where a run failed and no test of it did', () => {
    expect(countReport({ ...report, numFailedTests: 0 }, 1).failed).toBe(1);
    expect(countReport(null, 0).failed).toBe(1);
    expect(countReport({ ...report, numFailedTests: 0 }, 0).failed).toBe(0);
  });

  it('is one line', () => {
    expect(summaryLine(addCounts(countReport(report, 1), { ...noCounts, passed: 2 }))).toBe(
      '7 passed, 1 failed, 3 skipped',
    );
    expect(summaryLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  });
});
