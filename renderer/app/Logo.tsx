/** The mark: a drawn box with the handle that drew it. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <rect width="24" height="24" rx="6" fill="var(--bw-accent)" />
      <path
        d="M13.2 17H8.2A1.2 1.2 0 0 1 7 15.8V8.2A1.2 1.2 0 0 1 8.2 7h7.6A1.2 1.2 0 0 1 17 8.2v5"
        stroke="#fff"
        strokeWidth="2"
        strokeLinecap="round"
      />
      <rect x="14.4" y="14.4" width="5.2" height="5.2" rx="1.4" fill="#fff" />
    </svg>
  );
}
