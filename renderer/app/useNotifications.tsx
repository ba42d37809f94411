/** Shows the notices of the store, problems with what to do about them. */
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import { useEffect } from 'react';
import { type Notice, takeNotice, useNotices } from '../store/notices.ts';
import { CopyDetail } from './CopyDetail.tsx';
import classes from './useNotifications.module.css';

export function useNotifications(): void {
  const notices = useNotices((state) => state.notices);
  useEffect(() => {
    for (const notice of notices) {
      show(notice);
      takeNotice(notice.id);
    }
  }, [notices]);
}

function show(notice: Notice) {
  const { problem, tone } = notice;
  const shared = { withBorder: true, 'data-testid': `notice-${tone}` };
  if (!problem) {
    const color = tone === 'success' ? 'teal' : tone === 'warning' ? 'yellow' : 'iris';
    const Icon = tone === 'success' ? IconCheck : tone === 'warning' ? IconAlertTriangle : IconInfoCircle;
    notifications.show({
      ...shared,
      id: notice.message,
      message: notice.message,
      color,
      icon: <Icon size={16} />,
    });
    return;
  }
  notifications.show({
    ...shared,
    // The same problem twice is one problem.
    id: `${problem.kind}:${notice.message}`,
    color: 'red',
    autoClose: 15_000,
    role: 'alert',
    title: notice.message,
    message: (
      <div className={classes.problem}>
        <p>{problem.remedy}</p>
        {problem.detail && <CopyDetail detail={problem.detail} />}
      </div>
    ),
  });
}
