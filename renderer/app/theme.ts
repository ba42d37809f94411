/** The look: calm, dense, one accent. Class colours and the balance's two colours are data and stand apart from it. */
import {
  Button,
  createTheme,
  type MantineColorsTuple,
  Modal,
  NumberInput,
  Popover,
  Tooltip,
} from '@mantine/core';

const iris: MantineColorsTuple = [
  '#eef0ff',
  '#dcdffb',
  '#b7bdf2',
  '#909aea',
  '#7079e3',
  '#5b64df',
  '#4f58d6',
  '#4048bd',
  '#373fa9',
  '#2c3595',
];

/** Neutral, slightly cool; [0] is text on dark, [7] the page, [6] a panel. */
const dark: MantineColorsTuple = [
  '#d5d7de',
  '#b6b9c4',
  '#9499a8',
  '#636878',
  '#3f4350',
  '#323540',
  '#25272f',
  '#1b1d23',
  '#15161b',
  '#0f1014',
];

const gray: MantineColorsTuple = [
  '#f8f8fa',
  '#f1f2f5',
  '#e6e8ed',
  '#d9dce3',
  '#c6cad4',
  '#a4aab8',
  '#747b8b',
  '#565c6b',
  '#3a3f4b',
  '#22252d',
];

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: { light: 6, dark: 5 },
  colors: { iris, dark, gray },
  fontFamily:
    'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", "Segoe UI Mono", Menlo, Consolas, monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  radius: { xs: '3px', sm: '5px', md: '8px', lg: '12px', xl: '20px' },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '24px' }, h2: { fontSize: '18px' }, h3: { fontSize: '14px' } },
  },
  components: {
    Button: Button.extend({ styles: { label: { fontWeight: 550 } } }),
    // Locking the page's scroll would need a style element of its own; this page never scrolls.
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        centered: true,
        radius: 'md',
        padding: 'lg',
        overlayProps: { backgroundOpacity: 0.45 },
        transitionProps: { duration: 120 },
      },
      styles: { title: { fontSize: 16, fontWeight: 600 } },
    }),
    Popover: Popover.extend({ defaultProps: { radius: 'md', shadow: 'md' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 450, withArrow: false, fz: 12, color: 'dark.6' } }),
    NumberInput: NumberInput.extend({ defaultProps: { hideControls: true } }),
  },
});
