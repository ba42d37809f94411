/** Catches what a screen throws while drawing itself: the rest of the app, and everything saved, stays. */
import { Component, type ReactNode } from 'react';
import { toProblemData } from '../../shared/domain/problem.ts';
import { FullScreen } from './FullScreen.tsx';

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly error: unknown;
  readonly hasFailed: boolean;
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null, hasFailed: false };

  static getDerivedStateFromError(error: unknown): State {
    return { error, hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    const problem = toProblemData(this.state.error);
    return (
      <FullScreen
        title="This screen stopped working"
        message={problem.message}
        remedy="Everything shown as saved is saved. Reload the window to go on."
        detail={problem.detail}
        actions={[{ label: 'Reload the window', run: () => window.location.reload(), isMain: true }]}
      />
    );
  }
}
