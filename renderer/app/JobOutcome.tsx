/** Within a dialog: how a job goes on and what came of it. */
import { Badge } from '@mantine/core';
import { IconFile } from '@tabler/icons-react';
import type { ExportReport, ImportReport, WeightsReport } from '../../shared/contract/schemas.ts';
import classes from './dialog.module.css';
import { JobProgress } from './JobsTray.tsx';
import { ProblemList } from './ProblemList.tsx';
import { baseName } from './paths.ts';
import type { JobRun } from './useJobRun.ts';

export function JobOutcome({ run, title }: { run: JobRun; title: string }) {
  const { job, problem } = run;
  if (problem) {
    return (
      <p className={classes.problem} role="alert">
        <strong>{problem.message}</strong>
        {problem.remedy}
      </p>
    );
  }
  if (!job) return null;
  if (job.state === 'cancelled') return <p className={classes.muted}>Stopped.</p>;
  if (job.report) return <Report report={job.report} />;
  return (
    <div>
      <JobProgress job={job} title={title} />
      <p className={classes.muted}>{job.message}</p>
    </div>
  );
}

function Report({ report }: { report: ImportReport | ExportReport | WeightsReport }) {
  return 'bytes' in report ? <WrittenFiles report={report} /> : <Labels report={report} />;
}

function WrittenFiles({ report: { files } }: { report: WeightsReport }) {
  return (
    <ul className={classes.files} data-testid="job-report">
      {files.map((path) => (
        <li key={path} title={path}>
          <IconFile size={14} aria-hidden /> {baseName(path)}
        </li>
      ))}
    </ul>
  );
}

function Labels({ report }: { report: ImportReport | ExportReport }) {
  const counts: [string, number][] = [
    ['images', report.images],
    ['boxes', report.boxes],
    ['with nothing to label', report.negatives],
    'files' in report ? ['left out: not reviewed', report.omitted] : ['unlabelled', report.unlabelled],
  ];
  return (
    <div className={classes.report} data-testid="job-report">
      <dl className={classes.counts}>
        {counts.map(([name, count]) => (
          <Count key={name} name={name} count={count} />
        ))}
      </dl>
      <div className={classes.classNames}>
        {report.classes.map((name) => (
          <Badge key={name} variant="default" tt="none" fw={500}>
            {name}
          </Badge>
        ))}
      </div>
      <ProblemList problems={report.problems} />
    </div>
  );
}

function Count({ name, count }: { name: string; count: number }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{count.toLocaleString('en')}</dd>
    </>
  );
}
