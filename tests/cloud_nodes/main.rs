//! Three nodes of one central server: real NATS servers, a real PostgreSQL, and an edge that reaches the nodes through
//! a balancer as the world does.

#[path = "../support/mod.rs"]
mod support;

mod balancer;
mod database;
mod people;
mod same;
mod scattered;
mod trouble;
mod yard;
