//! Full mesh, client-server and static links among a few nodes.

mod drive;

use drive::{Net, number, peer};
use foundation_machine::{Micros, Rng};
use foundation_membership::{
    ClientServerOptions, Overlay, OverlayInput, OverlayOptions, Role, Strategy,
};

fn node(strategy: Strategy, options: &OverlayOptions, at: usize, seed: u64) -> Overlay {
    Overlay::new(strategy, options, peer(at), Rng::of_stream(seed, at as u64), Micros(0))
}

/// What a roster would say: everybody alive is a member.
fn tell_members(net: &mut Net<Overlay>) {
    for at in net.alive() {
        for other in net.alive() {
            net.give(at, OverlayInput::MemberUp(peer(other)));
        }
    }
}

fn degrees(net: &Net<Overlay>) -> Vec<usize> {
    net.alive().into_iter().map(|at| net.neighbours(at).len()).collect()
}

#[test]
fn members_of_a_full_mesh_all_link_to_each_other_and_again_after_a_cut() {
    let options = OverlayOptions::default();
    for seed in 0..5 {
        let mut net = Net::new(seed, vec![0]);
        for at in 0..30 {
            net.add(node(Strategy::FullMesh, &options, at, seed));
        }
        net.run_for(1_000);
        assert_eq!(net.components(), [30], "seed {seed}: by the seed alone");
        tell_members(&mut net);
        net.run_for(1_000);
        assert_eq!(degrees(&net), [29; 30], "seed {seed}");
        let dials = net.dials;
        assert!(dials < 600, "seed {seed}: {dials} dials for 435 links");
        net.partition(|at| u8::from(at < 10));
        net.run_for(60_000);
        assert_eq!(net.components(), [20, 10], "seed {seed}");
        net.partition(|_| 0);
        net.run_for(1_500);
        assert_eq!(degrees(&net), [29; 30], "seed {seed}: after the cut");
        net.come_to_rest();
        assert_eq!(net.one_sided(), [], "seed {seed}");
    }
}

#[test]
fn a_member_that_the_roster_calls_down_is_let_go_and_not_dialled() {
    let options = OverlayOptions::default();
    let mut net = Net::new(1, vec![0]);
    for at in 0..4 {
        net.add(node(Strategy::FullMesh, &options, at, 1));
    }
    tell_members(&mut net);
    net.run_for(3_000);
    net.crash(&[2]);
    net.run_for(200);
    for at in net.alive() {
        net.give(at, OverlayInput::MemberDown(peer(2)));
    }
    let dials = net.dials;
    net.run_for(25_000);
    assert_eq!((degrees(&net), net.dials - dials), (vec![2; 3], 0));
}

fn roles(servers: usize, clients: usize, seed: u64) -> Net<Overlay> {
    let mut net = Net::new(seed, (0..servers.min(2)).collect());
    for at in 0..servers + clients {
        let role = if at < servers { Role::Server } else { Role::Client };
        let client_server = ClientServerOptions { role, ..ClientServerOptions::default() };
        let options = OverlayOptions { client_server, ..OverlayOptions::default() };
        net.add(node(Strategy::ClientServer, &options, at, seed));
    }
    net
}

#[test]
fn clients_link_to_servers_only_and_go_to_others_when_theirs_are_lost() {
    for seed in 0..20 {
        let mut net = roles(5, 40, seed);
        net.run_for(5_000);
        net.crash(&[0, 1]); // the seeds, too: servers are known by servers
        net.run_for(1_100); // links are lost within 100 ms
        for at in net.alive() {
            let (servers, clients): (Vec<usize>, Vec<usize>) =
                net.neighbours(at).into_iter().partition(|other| *other < 5);
            if at < 5 {
                assert_eq!(servers.len(), 2, "seed {seed}: servers of server {at}");
            } else {
                assert!(!servers.is_empty(), "seed {seed}: client {at} has no home");
                assert_eq!(clients, [0; 0], "seed {seed}: client {at} has clients");
            }
        }
        net.come_to_rest();
        assert_eq!(net.one_sided(), [], "seed {seed}");
    }
}

#[test]
fn a_client_refuses_a_client_and_is_refused_by_a_server_that_is_full() {
    let mut net = Net::new(3, vec![0]);
    for at in 0..3 {
        let role = if at == 1 { Role::Server } else { Role::Client };
        let client_server =
            ClientServerOptions { role, clients_max: 1, ..ClientServerOptions::default() };
        let options = OverlayOptions { client_server, ..OverlayOptions::default() };
        net.add(node(Strategy::ClientServer, &options, at, 3));
    }
    // The only seed is a client: it refuses client 2, takes server 1, and names it to client 2.
    net.run_for(20_000);
    net.come_to_rest();
    assert_eq!([0, 1, 2].map(|at| net.neighbours(at)), [vec![1], vec![0], vec![]]);
}

#[test]
fn static_links_lead_to_seeds_only_and_come_back() {
    let options = OverlayOptions::default();
    let mut net = Net::new(5, vec![0, 1]);
    for at in 0..5 {
        net.add(node(Strategy::Static, &options, at, 5));
    }
    net.run_for(1_000);
    tell_members(&mut net);
    net.run_for(11_000);
    let sorted = |net: &Net<Overlay>, at| {
        let mut found: Vec<usize> = net.neighbours(at);
        found.sort_unstable_by_key(|at| number(peer(*at)));
        found
    };
    assert_eq!(sorted(&net, 0), [1, 2, 3, 4]);
    assert_eq!(sorted(&net, 1), [0, 2, 3, 4]);
    assert_eq!(sorted(&net, 4), [0, 1]);
    net.partition(|at| u8::from(at == 4));
    net.run_for(60_000);
    assert_eq!(sorted(&net, 4), []);
    net.partition(|_| 0);
    net.run_for(12_100);
    net.come_to_rest();
    assert_eq!((sorted(&net, 4), net.one_sided()), (vec![0, 1], vec![]));
}
