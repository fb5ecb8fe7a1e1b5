import { Link } from "react-router";

import { Logo } from "@/app/layout/logo";
import { BRAND } from "@/lib/brand";

import classes from "@/app/layout/footer.module.css";

export function Footer() {
  return (
    <footer className={classes.footer}>
      <div className={classes.inner}>
        <div>
          <Logo />
          <p>
            {BRAND.name} is the storefront of HighAvailabilityShop, a demonstration. Nothing here is
            really sold, and no real card is charged.
          </p>
        </div>
        <nav aria-label="More">
          <Link to="/products">All products</Link>
          <Link to="/products?sort=newest">New arrivals</Link>
          <Link to="/orders">My orders</Link>
          <Link to="/account">Account</Link>
        </nav>
        <p className={classes.credit}>
          Catalogue and pictures: Livostyle open data (MIT, Arcada LLC) and the .NET eShop samples
          (MIT, .NET Foundation). Variants and stock are synthetic.
        </p>
      </div>
    </footer>
  );
}
