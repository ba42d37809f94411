/**
 * Reasons not to leave the page: unsaved edits, a run that is training. Anyone adds a guard; the page asks before it goes while
 * any of them gives a reason.
 */
const guards = new Set<() => string | null>();

/** `reason` answers a sentence while leaving would lose something, else null. Returns a function that takes the guard away. */
export function addLeaveGuard(reason: () => string | null): () => void {
  guards.add(reason);
  return () => guards.delete(reason);
}

export function leaveReasons(): string[] {
  return [...guards].map((reason) => reason()).filter((reason) => reason !== null);
}

/** Installs the page's own question. Browsers show their own words; ours are shown where the app itself closes something. */
export function installLeaveQuestion(target: Window): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (leaveReasons().length === 0) return;
    event.preventDefault();
    event.returnValue = true;
  };
  target.addEventListener('beforeunload', ask);
  return () => target.removeEventListener('beforeunload', ask);
}
