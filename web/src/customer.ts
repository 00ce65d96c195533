/** The customer's page begins here. */
import { mount } from "svelte";
import Customer from "./customer/Customer.svelte";
import "./ui/base.css";

mount(Customer, { target: document.body });
