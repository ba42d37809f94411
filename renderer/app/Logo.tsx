/** The mark: a box being drawn, its last corner a handle. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <rect x="1" y="1" width="22" height="22" rx="6" fill="var(--bw-accent)" />
      <path
        d="M7 12V7.5A.5.5 0 0 1 7.5 7h9a.5.5 0 0 1 .5.5V12"
        stroke="#fff"
        strokeWidth="2"
        strokeLinecap="round"
      />
      <path
        d="M7 15.5V16a1 1 0 0 0 1 1h4.5"
        stroke="#fff"
        strokeOpacity=".75"
        strokeWidth="2"
        strokeLinecap="round"
        strokeDasharray="0.1 3.2"
      />
      <rect x="14.6" y="14.6" width="4.8" height="4.8" rx="1.2" fill="#fff" />
    </svg>
  );
}
