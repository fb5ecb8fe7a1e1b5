import { Link } from "react-router";

import { BRAND } from "@/lib/brand";

import classes from "@/app/layout/logo.module.css";

export function Logo() {
  return (
    <Link to="/" className={classes.logo} aria-label={`${BRAND.name}, home`}>
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="9" />
        <path
          className={classes.leaf}
          d="M16 6c5.500 3 7.500 7.200 7.500 11.200C23.500 22 20 25 16 25s-7.500-3-7.500-7.800C8.500 13.200 10.500 9 16 6Z"
        />
        <path className={classes.vein} d="M16 12v16M16 20l4-3.500M16 17l-3.500-3" />
      </svg>
      <span>{BRAND.name}</span>
    </Link>
  );
}
